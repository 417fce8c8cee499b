#include "kube/api.h"
#include "kube_unit.h"

static const struct kube_resource syncs = {"tablesync.dev", "v1alpha1", "tablesyncs",
                                           "TableSync"};
static const struct kube_resource secrets = {"", "v1", "secrets", "Secret"};

static void paths_name_group_namespace_object_and_subresource(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    const struct {
        const struct kube_resource *resource;
        const char *namespace, *name, *subresource, *path;
    } rows[] = {
        {&syncs, "shop", "orders", "status",
         "/apis/tablesync.dev/v1alpha1/namespaces/shop/tablesyncs/orders/status"},
        {&syncs, "shop", "orders", NULL,
         "/apis/tablesync.dev/v1alpha1/namespaces/shop/tablesyncs/orders"},
        {&syncs, "shop", NULL, NULL,
         "/apis/tablesync.dev/v1alpha1/namespaces/shop/tablesyncs"},
        {&syncs, NULL, NULL, NULL, "/apis/tablesync.dev/v1alpha1/tablesyncs"},
        {&secrets, "shop", "pw", NULL, "/api/v1/namespaces/shop/secrets/pw"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_string_equal(kube_path(a, rows[i].resource, rows[i].namespace,
                                      rows[i].name, rows[i].subresource),
                            rows[i].path);
    }
}

static void a_hostile_name_cannot_leave_its_place(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    const struct {
        const char *name, *path;
    } rows[] = {
        {"../../x", "/api/v1/namespaces/n/secrets/..%2F..%2Fx"},
        {"..", "/api/v1/namespaces/n/secrets/%2E%2E"},
        {".", "/api/v1/namespaces/n/secrets/%2E"},
        {"a?watch=1&b#c", "/api/v1/namespaces/n/secrets/a%3Fwatch%3D1%26b%23c"},
        {"a b%20\r\nHost: x", "/api/v1/namespaces/n/secrets/a%20b%2520%0D%0AHost%3A%20x"},
        {"\xc3\xbc", "/api/v1/namespaces/n/secrets/%C3%BC"},
        {"", "/api/v1/namespaces/n/secrets/"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_string_equal(kube_path(a, &secrets, "n", rows[i].name, NULL),
                            rows[i].path);
    }
}

static void queries_encode_keys_and_values(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);

    assert_string_equal(
        kube_path_query(a, "/p", "limit", "500", "continue", "a+b/c=&d", NULL),
        "/p?limit=500&continue=a%2Bb%2Fc%3D%26d");
    assert_string_equal(kube_path_query(a, "/p", NULL), "/p");
    assert_string_equal(
        kube_path_query(a, "/p", "fieldSelector", "metadata.name=x", NULL),
        "/p?fieldSelector=metadata.name%3Dx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_name_group_namespace_object_and_subresource),
        cmocka_unit_test(a_hostile_name_cannot_leave_its_place),
        cmocka_unit_test(queries_encode_keys_and_values),
    };

    return cmocka_run_group_tests_name("kube/path", tests, NULL, NULL);
}
