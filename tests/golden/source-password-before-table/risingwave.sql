-- AlterSource tablesync.src_shop_0e20df70: give the CDC source its new address or account
ALTER SOURCE "tablesync"."src_shop_0e20df70" CONNECTOR WITH (password='***');
-- CreateTable tablesync.t_shop_orders_740a3200: create the CDC table [parallelism 1]
CREATE TABLE "tablesync"."t_shop_orders_740a3200" ("id" BIGINT, "customer" VARCHAR, "amount" DECIMAL, PRIMARY KEY ("id")) FROM "tablesync"."src_shop_0e20df70" TABLE 'shop.orders';
-- CommentTable tablesync.t_shop_orders_740a3200: mark the CDC table as ours
COMMENT ON TABLE "tablesync"."t_shop_orders_740a3200" IS 'tablesync:v1 uid=7b6c2f10-3d5e-4a77-9c1b-0d2f6a5e4c33 hash=0cb2bfe3deb7 sink=1';
-- CreateSink tablesync.k_shop_orders_740a3200_v1: create the sink [background] [parallelism 1]
CREATE SINK "tablesync"."k_shop_orders_740a3200_v1" AS SELECT "id", "customer", "amount" FROM "tablesync"."t_shop_orders_740a3200" WITH (connector='starrocks', type='upsert', primary_key='id', starrocks.host='fe.warehouse.svc', starrocks.mysqlport='9030', starrocks.httpport='8030', starrocks.user='loader', starrocks.password='***', starrocks.database='ods', starrocks.table='orders', commit_checkpoint_interval='10');
