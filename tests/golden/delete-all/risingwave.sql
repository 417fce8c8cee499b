-- DropSink tablesync.k_shop_orders_740a3200_v1: drop the sink [destructive]
DROP SINK IF EXISTS "tablesync"."k_shop_orders_740a3200_v1";
-- DropTable tablesync.t_shop_orders_740a3200: drop the CDC table [destructive]
DROP TABLE IF EXISTS "tablesync"."t_shop_orders_740a3200";
-- DropSource tablesync.src_shop_0e20df70: drop the CDC source, which nobody uses any more [destructive]
DROP SOURCE IF EXISTS "tablesync"."src_shop_0e20df70";
