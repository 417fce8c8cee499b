-- CreateTarget ods.orders: create the target table
CREATE TABLE `ods`.`orders` (`amount` VARCHAR(21) NOT NULL, `at` DATETIME NOT NULL, `t` VARCHAR(17) NOT NULL, `v` INT NULL) PRIMARY KEY (`amount`, `at`, `t`) COMMENT 'tablesync:v1 uid=7b6c2f10-3d5e-4a77-9c1b-0d2f6a5e4c33 hash=a26484c2e585' DISTRIBUTED BY HASH (`amount`, `at`, `t`) PROPERTIES ('replication_num' = '1');
