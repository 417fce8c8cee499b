-- CreateSchema tablesync: create the RisingWave schema
CREATE SCHEMA IF NOT EXISTS "tablesync";
-- CreateSource tablesync.src_shop_eu_151b928b: create the shared CDC source
CREATE SOURCE "tablesync"."src_shop_eu_151b928b" WITH (connector='mysql-cdc', hostname='mysql.shop.svc', port='3306', username='cdc', password='***', database.name='Shop-EU', server.id='5697', ssl.mode='preferred', debezium.bigint.unsigned.handling.mode='precise', debezium.schema.history.internal.skip.unparseable.ddl='true');
-- CreateTable tablesync.t_shop_eu_or_ders_2024_635a376c: create the CDC table [parallelism 1]
CREATE TABLE "tablesync"."t_shop_eu_or_ders_2024_635a376c" ("Id" INTEGER, "order" VARCHAR, "列" VARCHAR, "UPPER" INTEGER, "a.b" INTEGER, " lead" INTEGER, "semi;colon" INTEGER, "sp ace" INTEGER, "hy-phen" INTEGER, "dol$" INTEGER, "1digit" INTEGER, "qu'ote" INTEGER, "back\slash" INTEGER, "per%cent" INTEGER, "#hash --" INTEGER, "XMIN" DOUBLE, PRIMARY KEY ("Id")) FROM "tablesync"."src_shop_eu_151b928b" TABLE 'Shop-EU.Or.ders-2024';
-- CommentTable tablesync.t_shop_eu_or_ders_2024_635a376c: mark the CDC table as ours
COMMENT ON TABLE "tablesync"."t_shop_eu_or_ders_2024_635a376c" IS 'tablesync:v1 uid=7b6c2f10-3d5e-4a77-9c1b-0d2f6a5e4c33 hash=e37d832c8958 sink=1';
-- CreateSink tablesync.k_shop_eu_or_ders_2024_635a376c_v1: create the sink [background] [parallelism 1]
CREATE SINK "tablesync"."k_shop_eu_or_ders_2024_635a376c_v1" AS SELECT "Id", "order", "列", "UPPER", "a.b", " lead", "semi;colon", "sp ace", "hy-phen", "dol$", "1digit", "qu'ote", "back\slash", "per%cent", "#hash --", "XMIN" FROM "tablesync"."t_shop_eu_or_ders_2024_635a376c" WITH (connector='starrocks', type='upsert', primary_key='Id', starrocks.host='fe.warehouse.svc', starrocks.mysqlport='9030', starrocks.httpport='8030', starrocks.user='loader', starrocks.password='***', starrocks.database='ods_eu', starrocks.table='Orders 2024''s 表', commit_checkpoint_interval='10');
