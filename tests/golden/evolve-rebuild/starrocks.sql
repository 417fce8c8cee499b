-- AlterTarget ods.orders: widen columns of the target table
ALTER TABLE `ods`.`orders` MODIFY COLUMN `qty` BIGINT NULL;
