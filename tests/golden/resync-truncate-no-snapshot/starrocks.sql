-- TruncateTarget ods.orders: empty the target table [destructive]
TRUNCATE TABLE `ods`.`orders`;
