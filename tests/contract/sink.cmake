# The sink's contract over every sink there is.  Real media comes from fixture/media.
if(TARGET cad_test_media AND TARGET cad_cmocka)
    add_library(cad_sink_contract STATIC sink_contract.c sink_bench.c)
    cad_target_setup(cad_sink_contract POSIX LINK cad_test_media)
    target_include_directories(cad_sink_contract PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(cad_sink_contract PUBLIC cad_cmocka)

    foreach(name null decode)
        cad_test(sink ${name} SOURCES sink_${name}_test.c LINK cad_sink_contract cad_test_media
            LABEL contract POSIX)
    endforeach()
    if(EXISTS ${PROJECT_SOURCE_DIR}/lib/drive/vsink.h)
        cad_test(sink virtual SOURCES sink_virtual_test.c LINK cad_sink_contract cad_test_media
            LABEL contract POSIX)
    endif()
    if(TARGET cad_player_sdl)
        # Its devices run in real time: little runs beside it, and it begins first.
        cad_test(sink sdl SOURCES sink_sdl_test.c
            LINK cad_player_sdl cad_sink_contract cad_test_media LABEL contract POSIX TIMEOUT 180)
        set_tests_properties(contract/sink/sdl PROPERTIES PROCESSORS 6 COST 200)
    endif()
    foreach(name null decode virtual sdl)
        if(TEST contract/sink/${name})
            set_tests_properties(contract/sink/${name} PROPERTIES
                FIXTURES_REQUIRED media
                ENVIRONMENT "SDL_VIDEODRIVER=dummy;SDL_AUDIODRIVER=dummy")
        endif()
    endforeach()
endif()
