-- CreateTarget ods.orders: create the target table
CREATE TABLE `ods`.`orders` (`id` BIGINT NOT NULL COMMENT 'order number', `customer` VARCHAR(256) NULL COMMENT 'who\'s paying', `amount` DECIMAL(10, 2) NULL) PRIMARY KEY (`id`) COMMENT 'tablesync:v1 uid=7b6c2f10-3d5e-4a77-9c1b-0d2f6a5e4c33 hash=6059112bec06' DISTRIBUTED BY HASH (`id`) PROPERTIES ('replication_num' = '3');
