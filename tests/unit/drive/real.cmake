# The parts of the real-time drive that need neither a thread nor a socket to be tried.
if(TARGET cad_room_drive_real)
    foreach(name file mailbox net_address net_easy net_guard net_head net_keylog net_origin player_device player_url spsc
            transport unlock)
        cad_test(drive ${name} SOURCES ${name}_test.c LINK cad_curl Threads::Threads POSIX)
    endforeach()
    cad_test(drive cdm_host SOURCES cdm_host_test.c LINK cad_cdm_contract cad_curl Threads::Threads POSIX)
endif()
