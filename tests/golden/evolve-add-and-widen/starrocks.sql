-- AlterTarget ods.orders: add columns to the target table
ALTER TABLE `ods`.`orders` ADD COLUMN `note` VARCHAR(400) NULL, ADD COLUMN `rate` DOUBLE NULL;
-- AlterTarget ods.orders: widen columns of the target table [after the target's schema change]
ALTER TABLE `ods`.`orders` MODIFY COLUMN `customer` VARCHAR(800) NULL COMMENT 'who\'s paying';
