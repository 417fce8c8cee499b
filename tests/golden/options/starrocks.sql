-- CreateDatabase ods: create the database (rights in it are granted apart)
CREATE DATABASE IF NOT EXISTS `ods`;
-- CreateTarget ods.shop_orders: create the target table
CREATE TABLE `ods`.`shop_orders` (`id` BIGINT NOT NULL COMMENT 'order number', `customer` VARCHAR(256) NULL COMMENT 'who\'s paying', `amount` DECIMAL(10, 2) NULL) PRIMARY KEY (`id`) COMMENT 'tablesync:v1 uid=7b6c2f10-3d5e-4a77-9c1b-0d2f6a5e4c33 hash=736defdb0ca6' DISTRIBUTED BY HASH (`id`) PROPERTIES ('compression' = 'ZSTD', 'replication_num' = '2');
