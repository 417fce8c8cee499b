-- CreateTarget ods.orders: create the target table
CREATE TABLE `ods`.`orders` (`order_id` VARCHAR(144) NOT NULL, `placed` DATE NOT NULL, `line` INT NOT NULL, `qty` INT NULL) PRIMARY KEY (`order_id`, `placed`, `line`) COMMENT 'tablesync:v1 uid=7b6c2f10-3d5e-4a77-9c1b-0d2f6a5e4c33 hash=80a1bd419b9a' DISTRIBUTED BY HASH (`order_id`, `placed`, `line`) PROPERTIES ('replication_num' = '1');
