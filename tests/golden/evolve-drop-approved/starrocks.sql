-- DropTargetColumn ods.orders: drop columns that MySQL no longer has, with their values, from the target [destructive] [after the target's schema change]
ALTER TABLE `ods`.`orders` DROP COLUMN `amount`;
