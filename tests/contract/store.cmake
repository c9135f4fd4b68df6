# The store's contract over every store there is; the file store is also killed in mid-write.
if(TARGET cad_room_drive_real AND TARGET cad_cmocka)
    add_library(cad_store_contract STATIC store_contract.c)
    cad_target_setup(cad_store_contract POSIX LINK cad_test_support cad_cmocka)
    target_include_directories(cad_store_contract PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})

    foreach(name file memory thread)
        cad_test(store ${name} SOURCES store_${name}_test.c
            LINK cad_store_contract cad_curl Threads::Threads LABEL contract POSIX)
    endforeach()
endif()
