-- DeleteGhosts ods.orders: delete rows whose deletion was not delivered [after the pause of k_shop_orders_740a3200_v3]
DELETE FROM `ods`.`orders` WHERE (`id`) IN (deletions that RisingWave sink 'k_shop_orders_740a3200_v1' has not delivered);
