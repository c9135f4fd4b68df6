# The transport's contract over every transport there is.
if(TARGET cad_room_drive_real AND TARGET cad_cmocka)
    add_library(cad_transport_contract STATIC transport_contract.c transport_bench.c transport_http.c
        transport_server.c)
    cad_target_setup(cad_transport_contract POSIX LINK cad_test_support cad_cmocka Threads::Threads)
    target_include_directories(cad_transport_contract PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})

    foreach(name file net probes virtual)
        cad_test(transport ${name} SOURCES transport_${name}_test.c
            LINK cad_transport_contract cad_curl Threads::Threads LABEL contract POSIX)
    endforeach()
endif()
