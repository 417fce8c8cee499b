-- DropTarget ods.orders: drop the target table, with the grants on it, to create it anew [asked for]
DROP TABLE IF EXISTS `ods`.`orders`;
-- CreateTarget ods.orders: create the target table
CREATE TABLE `ods`.`orders` (`customer` VARCHAR(256) NOT NULL COMMENT 'who\'s paying', `id` BIGINT NULL COMMENT 'order number', `amount` DECIMAL(10, 2) NULL) PRIMARY KEY (`customer`) COMMENT 'tablesync:v1 uid=7b6c2f10-3d5e-4a77-9c1b-0d2f6a5e4c33 hash=bf7436514311' DISTRIBUTED BY HASH (`customer`) PROPERTIES ('replication_num' = '3');
