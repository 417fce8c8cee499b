-- DropSink tablesync.k_shop_orders_740a3200_v1: drop the sink that was replaced
DROP SINK IF EXISTS "tablesync"."k_shop_orders_740a3200_v1";
-- AlterSink tablesync.k_shop_orders_740a3200_v2: resume the sink
ALTER SINK "tablesync"."k_shop_orders_740a3200_v2" SET sink_rate_limit TO DEFAULT;
