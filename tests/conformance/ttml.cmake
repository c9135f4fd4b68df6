# conformance/ttml: the ISDs of the TTML documents of the corpus, against the expected dumps.

include_guard(GLOBAL)

if(TARGET cadmium_ttml_cli)
    # A shell looks for Python when the test runs, so that its absence is said there and then.
    add_test(NAME conformance/ttml COMMAND sh -c
        "test -x /usr/bin/python3 || { echo 'SKIP: no /usr/bin/python3'; exit 77; }; exec /usr/bin/python3 \"$0\" \"$1\" \"$2\""
        ${CMAKE_CURRENT_LIST_DIR}/ttml_compare.py $<TARGET_FILE:cadmium_ttml_cli> ${CAD_SHARED_DATA})
    set_tests_properties(conformance/ttml PROPERTIES
        LABELS conformance TIMEOUT 300 SKIP_RETURN_CODE 77)
endif()
