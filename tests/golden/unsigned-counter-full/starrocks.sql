-- CreateTarget ods.orders: create the target table
CREATE TABLE `ods`.`orders` (`id` VARCHAR(20) NOT NULL, `v` DECIMAL(20, 0) NULL) PRIMARY KEY (`id`) COMMENT 'tablesync:v1 uid=7b6c2f10-3d5e-4a77-9c1b-0d2f6a5e4c33 hash=64d2607e54e9' DISTRIBUTED BY HASH (`id`) PROPERTIES ('replication_num' = '1');
