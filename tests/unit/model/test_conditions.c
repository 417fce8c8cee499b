#include "unit/base/unit.h"

#include "model/conditions.h"

static const struct reason_row *row(size_t i)
{
    size_t count = 0;
    const struct reason_row *rows = reason_rows(&count);
    return i < count ? &rows[i] : NULL;
}

static bool is_token(const char *text)
{
    bool good = text[0] >= 'A' && text[0] <= 'Z';
    for (const char *c = text; *c != '\0'; c++) {
        good = good && ((*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z'));
    }
    return good;
}

static bool is_sentence(const char *text)
{
    return text[0] != '\0' && text[strlen(text) - 1] == '.';
}

static void every_row_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; row(i) != NULL; i++) {
        const struct reason_row *r = row(i);
        bool truth = strcmp(r->status, "True") == 0 || strcmp(r->status, "False") == 0 ||
                     strcmp(r->status, "Unknown") == 0;
        if (!is_token(r->reason) || !truth || !is_sentence(r->meaning) ||
            !is_sentence(r->remedy)) {
            fail_msg("the row of %s is not whole", r->reason);
        }
        assert_true(strlen(r->reason) < sizeof(((struct fault *)NULL)->reason));
        /* DataLoss is the one that is bad when True. */
        const char *bad = r->condition == CONDITION_DATA_LOSS ? "True" : "False";
        assert_false(r->stalls && strcmp(r->status, bad) != 0);
        assert_true(reason_find(r->condition, r->reason) == r); /* no row twice */
    }
    assert_true(row(0) != NULL);
}

/* The tokens are part of the contract: other rooms raise them, users script on them. */
static void the_promised_reasons_exist(void **state)
{
    (void)state;
    static const struct {
        enum condition condition;
        const char *stalling, *others; /* blank-separated */
    } promised[] = {
        {CONDITION_CONNECTIONS_READY, "WrongConnectionType",
         "AllReachable ConnectionNotFound SecretNotFound SecretKeyMissing AuthFailed "
         "Unreachable UnknownHost TLSFailed NotPermitted ConnectionInvalid Timeout "
         "TLSNotOffered TLSUntrusted TLSExpired TLSHostMismatch TLSClientRefused "
         "TLSMaterialInvalid RequirementsMissing ConnectionDeleting TooManyConnections"},
        {CONDITION_SOURCE_SCHEMA_RESOLVED,
         "NoPrimaryKey UnsupportedType UnsupportedName UnsupportedKey NotABaseTable "
         "InvalidColumns InvalidOverride",
         "Resolved DatabaseNotFound TableNotFound BinlogOff BinlogNotRow RowImageNotFull "
         "MissingGrant ServerIdUnset TLSRequired"},
        {CONDITION_DATA_LOSS, "RefusedByPolicy", "NoneFound NotChecked ValuesAffected"},
        {CONDITION_PLAN_APPROVED, "WaitingForApproval DestructiveChange PlanOutdated",
         "AutoApproved Approved"},
        {CONDITION_SOURCE_READY, "",
         "Shared Created Creating ServerIdConflict SourceFailed SchemaDenied Recovering "
         "CatchingUp SettingsDiffer"},
        {CONDITION_TARGET_TABLE_READY,
         "AlreadyExists IncompatibleSchema CreateForbidden AlterFailed",
         "Created Adopted Unchanged AlterInProgress OwnedByAnother DatabaseMissing "
         "ReplicationImpossible NoBackends TableMissing QuotaExceeded TableFailed "
         "MissingGrant"},
        {CONDITION_SINK_READY, "",
         "Running BackfillRunning Creating BeingCreated NotAlterable LicenseLimit "
         "SinkRejected SinkFailed ActorLimit Paused"},
        {CONDITION_SNAPSHOT_COMPLETE, "", "Done Skipped InProgress Pending"},
        {CONDITION_SCHEMA_IN_SYNC,
         "ChangeBlockedByPolicy ChangeUnsupported TableReplaced",
         "Match IgnoredColumns UnloadedColumns UpstreamChanged"},
        {CONDITION_IN_SYNC, "TargetDrift",
         "NoDrift Ignored StreamObjectMissing DefinitionChanged"},
        {CONDITION_READY, "InvalidSpec",
         "Streaming Provisioning Updating Snapshotting Paused Deleting DeletionBlocked "
         "DependantsExist Connected InUse RequirementsMissing"},
        {CONDITION_RECONCILING, "", "Progressing ProgressingWithRetry"},
        {CONDITION_PAUSED, "", "Requested ReconciliationPaused"},
        {CONDITION_REACHABLE, "",
         "Connected Unreachable UnknownHost TLSFailed Timeout TLSNotOffered TLSUntrusted "
         "TLSExpired TLSHostMismatch TLSClientRefused TLSMaterialInvalid NotTried"},
        {CONDITION_CREDENTIALS_VALID, "",
         "LoggedIn SecretNotFound SecretKeyMissing AuthFailed NotPermitted NotTried"},
        {CONDITION_CDC_CAPABLE, "",
         "Capable CapableWithWarnings NotMySQL BinlogOff BinlogNotRow RowImageNotFull "
         "MissingGrant NotTried ServerIdUnset TLSRequired"},
        {CONDITION_CREDENTIALS_KEPT, "",
         "Kept NotInUse NotTried Off Unreadable StoreFailed"},
    };
    for (size_t i = 0; i < COUNT_OF(promised); i++) {
        for (int stalls = 0; stalls <= 1; stalls++) {
            struct sv rest =
                sv_from(stalls == 1 ? promised[i].stalling : promised[i].others);
            while (rest.n > 0) {
                char token[48] = "";
                struct sv word = sv_cut(&rest, ' ');
                memcpy(token, word.p, word.n);
                const struct reason_row *r = reason_find(promised[i].condition, token);
                if (r == NULL || r->stalls != (stalls == 1)) {
                    fail_msg("%s: %s is missing or stalls wrongly",
                             condition_type(promised[i].condition), token);
                }
            }
        }
    }
}

static void every_class_of_fault_has_a_row(void **state)
{
    (void)state;
    for (int class = FAULT_NONE + 1; class < FAULT_MAX; class ++) {
        const char *reason = fault_class_reason((enum fault_class) class);
        if (reason_find(CONDITION_READY, reason) == NULL) {
            fail_msg("%s has no row", reason);
        }
    }
}

static void a_bare_reason_finds_the_stream_first(void **state)
{
    (void)state;
    assert_int_equal(reason_find(CONDITION_NONE, "Unreachable")->condition,
                     CONDITION_CONNECTIONS_READY);
    assert_int_equal(reason_find(CONDITION_NONE, "MissingGrant")->condition,
                     CONDITION_SOURCE_SCHEMA_RESOLVED);
    assert_int_equal(reason_find(CONDITION_CDC_CAPABLE, "MissingGrant")->condition,
                     CONDITION_CDC_CAPABLE);
    static const char *const connecting[] = {
        "TLSNotOffered",    "TLSUntrusted",        "TLSExpired",        "TLSHostMismatch",
        "TLSClientRefused", "TLSMaterialInvalid",  "TLSFailed",         "SecretNotFound",
        "SecretKeyMissing", "RequirementsMissing", "ConnectionDeleting"};
    for (size_t i = 0; i < COUNT_OF(connecting); i++) {
        assert_int_equal(reason_find(CONDITION_NONE, connecting[i])->condition,
                         CONDITION_CONNECTIONS_READY);
    }
    assert_null(reason_find(CONDITION_NONE, "NoSuchReason"));
    assert_null(reason_find(CONDITION_PAUSED, "Unreachable"));
}

/* A row's status is what the condition gets; these are the ones that a guess gets wrong.
 */
static void rows_tell_the_truth(void **state)
{
    (void)state;
    static const struct {
        enum condition condition;
        const char *reason, *status;
    } rows[] = {
        {CONDITION_SCHEMA_IN_SYNC, "Match", "True"},
        {CONDITION_SCHEMA_IN_SYNC, "IgnoredColumns", "True"},
        {CONDITION_SCHEMA_IN_SYNC, "UnloadedColumns", "True"},
        {CONDITION_SCHEMA_IN_SYNC, "UpstreamChanged", "False"},
        {CONDITION_DATA_LOSS, "NoneFound", "False"},
        {CONDITION_DATA_LOSS, "NotChecked", "Unknown"},
        {CONDITION_DATA_LOSS, "ValuesAffected", "True"},
        {CONDITION_DATA_LOSS, "RefusedByPolicy", "True"},
        {CONDITION_PLAN_APPROVED, "Approved", "True"},
        {CONDITION_TARGET_TABLE_READY, "Adopted", "True"},
        {CONDITION_TARGET_TABLE_READY, "AlterInProgress", "False"},
        {CONDITION_IN_SYNC, "Ignored", "Unknown"},
        {CONDITION_READY, "Updating", "False"},
        {CONDITION_READY, "InUse", "False"},
        {CONDITION_SOURCE_READY, "CatchingUp", "True"},
        {CONDITION_SOURCE_READY, "SettingsDiffer", "True"},
        {CONDITION_CDC_CAPABLE, "CapableWithWarnings", "True"},
        {CONDITION_CREDENTIALS_KEPT, "Kept", "True"},
        {CONDITION_CREDENTIALS_KEPT, "NotInUse", "Unknown"},
        {CONDITION_CREDENTIALS_KEPT, "Off", "False"},
        {CONDITION_CREDENTIALS_KEPT, "Unreadable", "False"},
        {CONDITION_CREDENTIALS_KEPT, "StoreFailed", "False"},
        {CONDITION_CONNECTIONS_READY, "RequirementsMissing", "False"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct reason_row *r = reason_find(rows[i].condition, rows[i].reason);
        assert_non_null(r);
        assert_string_equal(r->status, rows[i].status);
        /* Faults carry the reason alone: no other condition may come first. */
        assert_true(reason_find(CONDITION_NONE, rows[i].reason) == r);
    }
}

/* A connection's condition and a TableSync's tell the same trouble by the same token: who
 * looks one up finds the other. */
static void what_a_connection_says_its_users_say_too(void **state)
{
    (void)state;
    static const enum condition own[] = {CONDITION_REACHABLE,
                                         CONDITION_CREDENTIALS_VALID};
    for (size_t i = 0; row(i) != NULL; i++) {
        bool is_own = row(i)->condition == own[0] || row(i)->condition == own[1];
        if (is_own && strcmp(row(i)->status, "False") == 0 &&
            reason_find(CONDITION_CONNECTIONS_READY, row(i)->reason) == NULL) {
            fail_msg("ConnectionsReady has no %s", row(i)->reason);
        }
    }
}

static void conditions_have_names(void **state)
{
    (void)state;
    assert_string_equal(condition_type(CONDITION_SOURCE_SCHEMA_RESOLVED),
                        "SourceSchemaResolved");
    assert_string_equal(condition_meaning(CONDITION_PLAN_APPROVED),
                        "the next statements may run");
    assert_string_equal(condition_type(CONDITION_SCHEMA_IN_SYNC), "SchemaInSync");
    assert_string_equal(condition_type(CONDITION_DATA_LOSS), "DataLoss");
    assert_string_equal(condition_type(CONDITION_CREDENTIALS_KEPT), "CredentialsKept");
    assert_string_equal(condition_type(CONDITION_NONE), "");
    assert_string_equal(condition_type(CONDITION_MAX), "");
    for (int i = 1; i < (int)CONDITION_MAX; i++) {
        assert_true(is_token(condition_type((enum condition)i)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(the_promised_reasons_exist),
        cmocka_unit_test(every_class_of_fault_has_a_row),
        cmocka_unit_test(a_bare_reason_finds_the_stream_first),
        cmocka_unit_test(rows_tell_the_truth),
        cmocka_unit_test(what_a_connection_says_its_users_say_too),
        cmocka_unit_test(conditions_have_names),
    };
    return cmocka_run_group_tests_name("model/conditions", tests, NULL, NULL);
}
