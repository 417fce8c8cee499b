-- AlterSink tablesync.k_shop_orders_740a3200_v1: pause the sink
ALTER SINK "tablesync"."k_shop_orders_740a3200_v1" SET sink_rate_limit TO 0;
