-- DropTarget ods.orders: drop the target table and its rows [destructive]
DROP TABLE IF EXISTS `ods`.`orders`;
