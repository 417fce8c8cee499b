-- CommentTarget ods.orders: mark the target table as ours
ALTER TABLE `ods`.`orders` COMMENT = 'sales, by hand tablesync:v1 uid=7b6c2f10-3d5e-4a77-9c1b-0d2f6a5e4c33 hash=6059112bec06 adopted';
