# The three libraries, each static and shared.
#
#   cadmium, cadmium_sim, cadmium_media                       static, what programs and tests here link
#   cadmium_shared, cadmium_sim_shared, cadmium_media_shared  versioned, export the public functions only
#
# libcadmium-sim and libcadmium-media speak to libcadmium through public functions only, as applications
# do.  The small helpers that they use beside those (base: strings, JSON, the generator; drive_common) have
# no state and are linked into each of them as a hidden copy: nothing private crosses a library's border,
# so that each of the three may be replaced by a compatible version alone.

# Which public header declares functions of which library; every other one is libcadmium's alone.
set(CAD_HEADERS_cadmium_sim sim.h)
set(CAD_HEADERS_cadmium_media decode.h font_freetype.h)
# Recording is libcadmium's, playing back is libcadmium-sim's.
set(CAD_HEADERS_TOO_cadmium_sim tape.h)

# A version script may name functions that the other library defines.
include(CheckLinkerFlag)
check_linker_flag(C LINKER:--undefined-version CAD_LINKER_UNDEFINED_VERSION)

# While the version is 0.x a new minor version may break the ABI: the version node says so to the dynamic
# linker.  docs/install.md has the policy.
set(CAD_SOVERSION ${PROJECT_VERSION_MAJOR})
if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(CAD_VERSION_NODE LIBCADMIUM_${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
else()
    set(CAD_VERSION_NODE LIBCADMIUM_${PROJECT_VERSION_MAJOR})
endif()

# The public headers, as paths, whose functions <library> exports.
function(cad_library_headers out library)
    set(folder ${PROJECT_SOURCE_DIR}/include/cadmium)
    if(NOT library STREQUAL cadmium)
        set(headers "")
        foreach(header IN LISTS CAD_HEADERS_${library} CAD_HEADERS_TOO_${library})
            if(EXISTS ${folder}/${header})
                list(APPEND headers ${folder}/${header})
            endif()
        endforeach()
    else()
        file(GLOB headers CONFIGURE_DEPENDS ${folder}/*.h)
        foreach(header IN LISTS CAD_HEADERS_cadmium_sim CAD_HEADERS_cadmium_media)
            list(REMOVE_ITEM headers ${folder}/${header})
        endforeach()
    endif()
    set(${out} "${headers}" PARENT_SCOPE)
endfunction()

# cad_library(<library> <file name>)   both kinds of it, if it has any room
function(cad_library library name)
    cad_umbrella(${library} STATIC ${library})
    if(NOT TARGET ${library})
        return()
    endif()
    set_target_properties(${library} PROPERTIES OUTPUT_NAME ${name})
    if(NOT library STREQUAL cadmium)
        target_link_libraries(${library} PUBLIC cadmium)
    endif()
    if(CAD_BUILD_SHARED AND NOT CAD_FUZZ)
        cad_shared_library(${library} ${name})
    endif()
endfunction()

function(cad_shared_library library name)
    set(target ${library}_shared)
    if(library STREQUAL cadmium)
        cad_umbrella(${target} SHARED ${library})
    else()
        if(NOT TARGET cad_hidden)
            add_library(cad_hidden STATIC
                $<TARGET_OBJECTS:cad_room_base> $<TARGET_OBJECTS:cad_room_drive_common>)
        endif()
        # The order counts: what libcadmium exports is taken from there, the rest from the copy.
        cad_umbrella(${target} SHARED ${library} cadmium_shared cad_hidden)
        set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN")
    endif()
    set(script ${CMAKE_BINARY_DIR}/lib/${name}.map)
    set(maker ${PROJECT_SOURCE_DIR}/cmake/version-script.sh)
    cad_library_headers(headers ${library})
    add_custom_command(OUTPUT ${script}
        COMMAND sh ${maker} ${CAD_VERSION_NODE} ${script} ${headers}
        DEPENDS ${headers} ${maker} ${PROJECT_SOURCE_DIR}/cmake/public-functions.sh
        VERBATIM)
    add_custom_target(${target}_map DEPENDS ${script})
    add_dependencies(${target} ${target}_map)
    set_target_properties(${target} PROPERTIES
        OUTPUT_NAME ${name} VERSION ${PROJECT_VERSION} SOVERSION ${CAD_SOVERSION} LINK_DEPENDS ${script})
    target_link_options(${target} PRIVATE LINKER:--version-script=${script} LINKER:-Bsymbolic-functions)
    if(CAD_LINKER_UNDEFINED_VERSION)
        target_link_options(${target} PRIVATE LINKER:--undefined-version)
    endif()
    if(NOT CAD_SANITIZE)
        target_link_options(${target} PRIVATE LINKER:-z,defs)
    endif()
endfunction()
