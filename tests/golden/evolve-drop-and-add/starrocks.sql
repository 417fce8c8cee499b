-- AlterTarget ods.orders: add columns to the target table
ALTER TABLE `ods`.`orders` ADD COLUMN `note` VARCHAR(65535) NULL;
