-- AlterSource tablesync.src_shop_0e20df70: give the CDC source its new address or account
ALTER SOURCE "tablesync"."src_shop_0e20df70" CONNECTOR WITH (password='***');
-- AlterSink tablesync.k_shop_orders_740a3200_v1: pause the sink
ALTER SINK "tablesync"."k_shop_orders_740a3200_v1" SET sink_rate_limit TO 0;
