# conformance/mp4: what the mp4 room reads, against the expected dumps of the corpus.

include_guard(GLOBAL)

cad_room_closure(cad_mp4_closure mp4)
if(cad_mp4_closure)
    cad_program(cadmium_mp4_dump SOURCES mp4_dump.c OUTPUT_NAME mp4_dump LINK ${cad_mp4_closure})
    set_target_properties(cadmium_mp4_dump PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    # A shell looks for Python when the test runs, so that its absence is said there and then.
    add_test(NAME conformance/mp4 COMMAND sh -c
        "test -x /usr/bin/python3 || { echo 'SKIP: no /usr/bin/python3'; exit 77; }; exec /usr/bin/python3 \"$0\" \"$1\" \"$2\""
        ${CMAKE_CURRENT_LIST_DIR}/mp4_compare.py $<TARGET_FILE:cadmium_mp4_dump> ${CAD_SHARED_DATA})
    set_tests_properties(conformance/mp4 PROPERTIES
        LABELS conformance TIMEOUT 120 SKIP_RETURN_CODE 77)
endif()
