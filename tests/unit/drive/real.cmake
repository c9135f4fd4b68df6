# The parts of the real-time drive that need neither a thread nor a socket to be tried.
if(TARGET cad_room_drive_real)
    foreach(name file mailbox net_address net_easy net_head net_origin player_device player_url spsc transport)
        cad_test(drive ${name} SOURCES ${name}_test.c LINK cad_curl Threads::Threads POSIX)
    endforeach()
endif()
