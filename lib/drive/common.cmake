# What both drives are made of: pure functions without state. They are part of libcadmium; the shared
# libcadmium-sim has a hidden copy (cmake/libraries.cmake).
cad_room(drive_common SOURCES
    store.c
    store_memory.c
    tape_boxes.c
    tape_event.c
    tape_format.c
    tape_header.c
    tape_names.c
    transport.c)
# Public, and so in libcadmium alone.
cad_room(drive_unlock SOURCES unlock.c)
