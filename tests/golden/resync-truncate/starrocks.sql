-- TruncateTarget ods.orders: empty the target table [asked for]
TRUNCATE TABLE `ods`.`orders`;
