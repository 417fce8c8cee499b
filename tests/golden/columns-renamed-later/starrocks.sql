-- AlterTarget ods.orders: add columns to the target table
ALTER TABLE `ods`.`orders` ADD COLUMN `total` DECIMAL(10, 2) NULL;
