# conformance/dash: what the manifest room makes of MPDs, against the expected dumps of the corpus.

include_guard(GLOBAL)

if(TARGET cadmium_manifest_cli)
    # A shell looks for Python when the test runs, so that its absence is said there and then.
    add_test(NAME conformance/dash COMMAND sh -c
        "test -x /usr/bin/python3 || { echo 'SKIP: no /usr/bin/python3'; exit 77; }; exec /usr/bin/python3 \"$0\" \"$1\" \"$2\""
        ${CMAKE_CURRENT_LIST_DIR}/dash_compare.py $<TARGET_FILE:cadmium_manifest_cli> ${CAD_SHARED_DATA})
    set_tests_properties(conformance/dash PROPERTIES
        LABELS conformance TIMEOUT 180 SKIP_RETURN_CODE 77)
endif()
