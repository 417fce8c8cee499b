-- AlterSink tablesync.k_shop_orders_740a3200_v1: pause the sink
ALTER SINK "tablesync"."k_shop_orders_740a3200_v1" SET sink_rate_limit TO 0;
-- CreateSink tablesync.k_shop_orders_740a3200_v3: create the sink [after the pause of k_shop_orders_740a3200_v1] [background] [parallelism 1]
CREATE SINK "tablesync"."k_shop_orders_740a3200_v3" AS SELECT "id", "customer", "amount" FROM "tablesync"."t_shop_orders_740a3200" WITH (connector='starrocks', type='upsert', primary_key='id', starrocks.host='fe.warehouse.svc', starrocks.mysqlport='9030', starrocks.httpport='8030', starrocks.user='loader', starrocks.password='***', starrocks.database='ods', starrocks.table='orders', commit_checkpoint_interval='10');
-- AlterSink tablesync.k_shop_orders_740a3200_v3: pause the sink [after the backfill of k_shop_orders_740a3200_v3]
ALTER SINK "tablesync"."k_shop_orders_740a3200_v3" SET sink_rate_limit TO 0;
-- DropSink tablesync.k_shop_orders_740a3200_v1: drop the sink that was replaced
DROP SINK IF EXISTS "tablesync"."k_shop_orders_740a3200_v1";
-- DropSink tablesync.k_shop_orders_740a3200_v2: drop the sink that was replaced
DROP SINK IF EXISTS "tablesync"."k_shop_orders_740a3200_v2";
-- AlterSink tablesync.k_shop_orders_740a3200_v3: resume the sink
ALTER SINK "tablesync"."k_shop_orders_740a3200_v3" SET sink_rate_limit TO DEFAULT;
