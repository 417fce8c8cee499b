-- AlterTarget ods.orders: add columns to the target table
ALTER TABLE `ods`.`orders` ADD COLUMN `rate` DOUBLE NULL;
