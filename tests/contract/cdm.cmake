# The CDM's contract over every CDM there is, and over one that breaks it on purpose.
add_library(cad_cdm_contract STATIC cdm_contract.c cdm_bench.c cdm_cipher.c cdm_unruly.c)
cad_target_setup(cad_cdm_contract POSIX LINK cadmium cad_mbedcrypto Threads::Threads)
target_include_directories(cad_cdm_contract PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
if(TARGET cad_cmocka)
    foreach(name clearkey unruly)
        cad_test(cdm ${name} SOURCES cdm_${name}_test.c
            LINK cad_cdm_contract cad_mbedcrypto Threads::Threads LABEL contract)
    endforeach()
endif()
