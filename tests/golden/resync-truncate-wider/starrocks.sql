-- AlterTarget ods.orders: add columns to the target table
ALTER TABLE `ods`.`orders` ADD COLUMN `note` INT NULL;
-- TruncateTarget ods.orders: empty the target table [asked for] [after the target's schema change]
TRUNCATE TABLE `ods`.`orders`;
