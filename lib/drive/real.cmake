# The real-time drive: one thread, mailbox, libcurl, files, monotonic clock, and the player on top.

cad_room(drive_real POSIX SMALL
    SOURCES
        cdm_host.c
        clock.c
        file.c
        loop.c
        mailbox.c
        net.c
        net_address.c
        net_easy.c
        net_guard.c
        net_head.c
        net_keylog.c
        net_origin.c
        net_probes.c
        player.c
        player_device.c
        player_drive.c
        player_edges.c
        player_pair.c
        player_sink.c
        player_url.c
        spsc.c
        store_file.c
        store_thread.c
        tape_licence.c
        tape_record.c
    LINK cad_curl Threads::Threads ${CMAKE_DL_LIBS})
