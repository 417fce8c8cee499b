-- CreateTable tablesync.t_shop_orders_740a3200_v2: create the CDC table anew, beside the one in use [parallelism 1]
CREATE TABLE "tablesync"."t_shop_orders_740a3200_v2" ("id" BIGINT, "customer" VARCHAR, "amount" DECIMAL, "qty" BIGINT, PRIMARY KEY ("id")) FROM "tablesync"."src_shop_0e20df70" TABLE 'shop.orders';
-- CommentTable tablesync.t_shop_orders_740a3200_v2: mark the CDC table as ours
COMMENT ON TABLE "tablesync"."t_shop_orders_740a3200_v2" IS 'tablesync:v1 uid=7b6c2f10-3d5e-4a77-9c1b-0d2f6a5e4c33 hash=31b9ed8de36e sink=2 after=1';
-- AlterSink tablesync.k_shop_orders_740a3200_v1: pause the sink [after the snapshot of t_shop_orders_740a3200_v2]
ALTER SINK "tablesync"."k_shop_orders_740a3200_v1" SET sink_rate_limit TO 0;
-- CreateSink tablesync.k_shop_orders_740a3200_v2: create the sink [after the pause of k_shop_orders_740a3200_v1] [background] [parallelism 1]
CREATE SINK "tablesync"."k_shop_orders_740a3200_v2" AS SELECT "id", "customer", "amount", "qty" FROM "tablesync"."t_shop_orders_740a3200_v2" WITH (connector='starrocks', type='upsert', primary_key='id', starrocks.host='fe.warehouse.svc', starrocks.mysqlport='9030', starrocks.httpport='8030', starrocks.user='loader', starrocks.password='***', starrocks.database='ods', starrocks.table='orders', commit_checkpoint_interval='10');
-- AlterSink tablesync.k_shop_orders_740a3200_v2: pause the sink [after the backfill of k_shop_orders_740a3200_v2]
ALTER SINK "tablesync"."k_shop_orders_740a3200_v2" SET sink_rate_limit TO 0;
-- DropSink tablesync.k_shop_orders_740a3200_v1: drop the sink that was replaced
DROP SINK IF EXISTS "tablesync"."k_shop_orders_740a3200_v1";
-- AlterSink tablesync.k_shop_orders_740a3200_v2: resume the sink
ALTER SINK "tablesync"."k_shop_orders_740a3200_v2" SET sink_rate_limit TO DEFAULT;
-- DropTable tablesync.t_shop_orders_740a3200: drop the CDC table that was replaced
DROP TABLE IF EXISTS "tablesync"."t_shop_orders_740a3200";
