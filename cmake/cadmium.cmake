# The helpers with which every CMakeLists.txt below the top speaks.
#
#   cad_room(<room> SOURCES a.c b.c [LINK libs...] [DEFINES d...] [POSIX] [LIBRARY cadmium])
#       An OBJECT library cad_room_<room>, put into its umbrella library.  The umbrella is told by the
#       room's name (drive_virtual* -> cadmium_sim, media* -> cadmium_media, else cadmium) or by LIBRARY.
#       POSIX is for layers 3 and up only: it makes the operating system's headers speak POSIX 2008 and GNU.
#       SMALL rooms are not in a sample's way: release builds make them small rather than fast; of a room
#       where some files are, SMALL_SOURCES names the others.
#
#   cad_program(<target> SOURCES main.c [OUTPUT_NAME name] [LINK libs...] [DEFINES d...] [POSIX])
#       A program in ${CMAKE_BINARY_DIR}/bin, linked with what LINK names.
#
#   cad_test(<room> <name> SOURCES x_test.c [ROOMS r...] [LINK libs...] [DEFINES d...] [POSIX]
#            [LABEL unit] [TIMEOUT 60])
#       A cmocka program test_<room>_<name>, in ctest as <label>/<room>/<name>.  A test of a layer 0 or 1
#       room is linked with that room, base and ROOMS only, so that a room which grew a dependency it may
#       not have fails to link; every other test is linked with all of the core.  Exit status 77 means
#       "skipped".
#
#   cad_fuzz(<name> SOURCES fuzz_x.c [ROOMS r...] [LINK libs...])
#       fuzz_<name>: a libFuzzer program with CAD_FUZZ; otherwise a program that replays the files of
#       fuzz/corpus/<name>, in ctest as fuzz-corpus/<name>.
#
# Tests and fuzz targets may use tests/support ("support/failing_alloc.h").  A test sees CAD_SOURCE_DIR (the
# root of the sources) and CAD_SHARED_DATA (the corpora, which may be absent) as string macros.

set(CAD_ROOMS_LAYER1 mp4 manifest timedtext msl abr steer fetch telemetry)
set(CAD_ROOMS_CORE base ${CAD_ROOMS_LAYER1} engine)

# The compile-time side that rooms, programs and tests share.
function(cad_target_setup target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "POSIX" "" "LINK;DEFINES")
    target_link_libraries(${target} PRIVATE cad_options ${arg_LINK})
    target_compile_definitions(${target} PRIVATE ${arg_DEFINES})
    if(arg_POSIX)
        target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L _GNU_SOURCE)
    endif()
endfunction()

# Turns parsed POSIX into the word again, to hand it on.
macro(cad_posix_word)
    set(posix "")
    if(arg_POSIX)
        set(posix POSIX)
    endif()
endmacro()

function(cad_room room)
    cmake_parse_arguments(PARSE_ARGV 1 arg "POSIX;SMALL" "LIBRARY" "SOURCES;LINK;DEFINES;SMALL_SOURCES")
    set(sources ${arg_SOURCES})
    if(NOT sources)
        return()
    endif()
    if(NOT arg_LIBRARY)
        set(arg_LIBRARY cadmium)
        if(room MATCHES "^drive_virtual")
            set(arg_LIBRARY cadmium_sim)
        elseif(room MATCHES "^media")
            set(arg_LIBRARY cadmium_media)
        endif()
    endif()
    if(arg_POSIX AND room IN_LIST CAD_ROOMS_CORE)
        message(FATAL_ERROR "room ${room} is in layers 0 to 2 and may not use POSIX")
    endif()
    cad_posix_word()
    add_library(cad_room_${room} OBJECT ${sources})
    cad_target_setup(cad_room_${room} ${posix} LINK ${arg_LINK} DEFINES ${arg_DEFINES})
    # Nothing is thrown or unwound through the core: debuggers have their tables in the debug information.
    target_compile_options(cad_room_${room} PRIVATE
        $<$<CONFIG:Release,RelWithDebInfo>:-fno-asynchronous-unwind-tables> $<$<CONFIG:Release,RelWithDebInfo>:-fno-unwind-tables>)
    if(arg_SMALL)
        target_compile_options(cad_room_${room} PRIVATE $<$<CONFIG:Release,RelWithDebInfo>:-Os>)
    endif()
    set_source_files_properties(${arg_SMALL_SOURCES} PROPERTIES
        COMPILE_OPTIONS $<$<CONFIG:Release,RelWithDebInfo>:-Os>)
    set_property(GLOBAL APPEND PROPERTY CAD_ROOMS_${arg_LIBRARY} ${room})
    set_property(GLOBAL APPEND PROPERTY CAD_LINK_${arg_LIBRARY} ${arg_LINK})
endfunction()

# Defines the umbrella library <library> (KIND STATIC or SHARED) as <target>, if it has any room.
function(cad_umbrella target kind library)
    get_property(rooms GLOBAL PROPERTY CAD_ROOMS_${library})
    get_property(links GLOBAL PROPERTY CAD_LINK_${library})
    if(NOT rooms)
        return()
    endif()
    set(objects "")
    foreach(room IN LISTS rooms)
        list(APPEND objects $<TARGET_OBJECTS:cad_room_${room}>)
    endforeach()
    list(REMOVE_DUPLICATES links)
    list(REMOVE_ITEM links ${target} cadmium)
    add_library(${target} ${kind} ${objects})
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)
    target_include_directories(${target} INTERFACE ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(${target} PRIVATE cad_sanitizers ${links} ${ARGN})
endfunction()

function(cad_program target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "POSIX" "OUTPUT_NAME" "SOURCES;LINK;DEFINES")
    set(sources ${arg_SOURCES})
    if(NOT sources)
        return()
    endif()
    cad_posix_word()
    add_executable(${target} ${sources})
    cad_target_setup(${target} ${posix} LINK ${arg_LINK} DEFINES ${arg_DEFINES})
    if(arg_OUTPUT_NAME)
        set_target_properties(${target} PROPERTIES OUTPUT_NAME ${arg_OUTPUT_NAME})
    endif()
endfunction()

# What a test or fuzz target of <room> is linked with: its room and base alone for layers 0 and 1, else all.
function(cad_room_closure out room)
    if(NOT room STREQUAL base AND NOT room IN_LIST CAD_ROOMS_LAYER1)
        set(closure "")
        foreach(library cadmium_sim cadmium_media cadmium)
            if(TARGET ${library})
                list(APPEND closure ${library})
            endif()
        endforeach()
        set(${out} "${closure}" PARENT_SCOPE)
        return()
    endif()
    set(rooms base ${room} ${ARGN})
    list(REMOVE_DUPLICATES rooms)
    set(closure "")
    foreach(one IN LISTS rooms)
        if(TARGET cad_room_${one})
            list(APPEND closure cad_room_${one})
        endif()
    endforeach()
    set(${out} "${closure}" PARENT_SCOPE)
endfunction()

function(cad_test room name)
    cmake_parse_arguments(PARSE_ARGV 2 arg "POSIX" "LABEL;TIMEOUT" "SOURCES;ROOMS;LINK;DEFINES")
    set(sources ${arg_SOURCES})
    if(NOT sources OR NOT TARGET cad_cmocka)
        return()
    endif()
    if(NOT arg_LABEL)
        set(arg_LABEL unit)
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 60)
    endif()
    set(target test_${room}_${name})
    cad_posix_word()
    cad_room_closure(closure ${room} ${arg_ROOMS})
    add_executable(${target} ${sources})
    cad_target_setup(${target} ${posix}
        LINK $<TARGET_NAME_IF_EXISTS:cad_test_support> ${arg_LINK} ${closure} cad_cmocka
        DEFINES CAD_SOURCE_DIR="${PROJECT_SOURCE_DIR}" CAD_SHARED_DATA="${CAD_SHARED_DATA}" ${arg_DEFINES})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME ${arg_LABEL}/${room}/${name} COMMAND ${target})
    set_tests_properties(${arg_LABEL}/${room}/${name} PROPERTIES
        LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()

# Which rooms a fuzz target needs is told by its name: fuzz_<room>.c, fuzz_<room>_<part>.c, or a parser of base.
function(cad_fuzz_room out name)
    set(room engine)
    if(name MATCHES "^(json|xml|uri|utf8|base64|base)")
        set(room base)
    elseif(name MATCHES "^(licensed|dash)")
        set(room manifest)
    elseif(name MATCHES "^ftl(_|$)")
        set(room steer)
    elseif(name MATCHES "^text(_|$)")
        set(room timedtext)
    endif()
    foreach(one IN LISTS CAD_ROOMS_LAYER1)
        if(name MATCHES "^${one}(_|$)")
            set(room ${one})
        endif()
    endforeach()
    set(${out} ${room} PARENT_SCOPE)
endfunction()

function(cad_fuzz name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;ROOMS;LINK")
    set(sources ${arg_SOURCES})
    cad_fuzz_room(room ${name})
    cad_room_closure(closure ${room} ${arg_ROOMS})
    if(NOT sources OR NOT closure)
        return()
    endif()
    set(corpus ${PROJECT_SOURCE_DIR}/fuzz/corpus/${name})
    add_executable(fuzz_${name} ${sources})
    cad_target_setup(fuzz_${name} LINK $<TARGET_NAME_IF_EXISTS:cad_test_support> ${arg_LINK} ${closure})
    set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    if(CAD_FUZZ)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
        return()
    endif()
    target_sources(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/fuzz/standalone_main.c)
    add_test(NAME fuzz-corpus/${name} COMMAND fuzz_${name} ${corpus})
    set_tests_properties(fuzz-corpus/${name} PROPERTIES
        LABELS fuzz-corpus TIMEOUT 300 SKIP_RETURN_CODE 77)
endfunction()

# Descends into each named folder that has a CMakeLists.txt.
macro(cad_add_folders)
    foreach(folder ${ARGN})
        if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
            add_subdirectory(${folder})
        endif()
    endforeach()
endmacro()
