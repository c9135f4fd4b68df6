# What cmake --install does, in components:
#
#   runtime       the versioned shared libraries
#   development   headers, static libraries, linker names, pkg-config files, the CMake package
#   tools         cadmium-play, cadmium-sim, cadmium-manifest, cadmium-ttml, cadmium-ftl and their manual pages
#   doc           README, CHANGELOG, the guides, and the API reference where it was built
#
# Everything is placed relative to the prefix, so that DESTDIR works and an installed tree can be moved.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Third-party libraries of <library> as pkg-config says them: modules, and plain linker flags.
function(cad_private_needs modules_out flags_out library)
    get_property(links GLOBAL PROPERTY CAD_LINK_${library})
    set(modules "")
    set(flags "")
    foreach(link IN LISTS links)
        string(REGEX REPLACE "^cad_" "" name "${link}")
        get_property(found GLOBAL PROPERTY CAD_MODULES_${name})
        if(found)
            list(APPEND modules ${found})
        elseif(link STREQUAL Threads::Threads)
            list(APPEND flags -pthread)
        elseif(link STREQUAL cad_mbedcrypto)
            list(APPEND flags -lmbedcrypto)
        elseif(link STREQUAL cad_mbedtls)
            list(APPEND flags -lmbedtls -lmbedx509 -lmbedcrypto)
        elseif(link MATCHES "^[a-z0-9]+$")
            list(APPEND flags -l${link})
        elseif(NOT link MATCHES "^cadmium" AND NOT link MATCHES "^cad_(room|options|sanitizers)")
            message(FATAL_ERROR "cmake/install.cmake: how is ${link} written in a pkg-config file?")
        endif()
    endforeach()
    list(REMOVE_DUPLICATES modules)
    list(REMOVE_DUPLICATES flags)
    set(${modules_out} "${modules}" PARENT_SCOPE)
    set(${flags_out} "${flags}" PARENT_SCOPE)
endfunction()

# <folder> as pkg-config writes it: below the prefix where it is relative.
function(cad_pc_folder out folder)
    if(IS_ABSOLUTE ${folder})
        set(${out} ${folder} PARENT_SCOPE)
    else()
        set(${out} "\${prefix}/${folder}" PARENT_SCOPE)
    endif()
endfunction()

function(cad_install_pkgconfig library name description)
    cad_private_needs(modules flags ${library})
    set(PC_NAME ${name})
    set(PC_DESCRIPTION "${description}")
    set(PC_REQUIRES "")
    if(NOT library STREQUAL cadmium)
        set(PC_REQUIRES "cadmium = ${PROJECT_VERSION}")
    endif()
    set(PC_REQUIRES_PRIVATE "")
    set(PC_LIBS_PRIVATE "")
    if(CAD_BUILD_STATIC)
        list(JOIN modules ", " PC_REQUIRES_PRIVATE)
        string(REGEX REPLACE "([<>=]+)" " \\1 " PC_REQUIRES_PRIVATE "${PC_REQUIRES_PRIVATE}")
        list(JOIN flags " " PC_LIBS_PRIVATE)
    endif()
    if(NOT CAD_BUILD_SHARED) # then a program must always name them
        string(JOIN ", " PC_REQUIRES ${PC_REQUIRES} ${PC_REQUIRES_PRIVATE})
        string(APPEND PC_LIBS " ${PC_LIBS_PRIVATE}")
        set(PC_REQUIRES_PRIVATE "")
        set(PC_LIBS_PRIVATE "")
    endif()
    set(folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
    set(PC_PREFIX ${CMAKE_INSTALL_PREFIX})
    if(NOT IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
        file(RELATIVE_PATH up /prefix/${folder} /prefix)
        string(REGEX REPLACE "/$" "" up "${up}")
        set(PC_PREFIX "\${pcfiledir}/${up}")
    endif()
    cad_pc_folder(PC_LIBDIR ${CMAKE_INSTALL_LIBDIR})
    cad_pc_folder(PC_INCLUDEDIR ${CMAKE_INSTALL_INCLUDEDIR})
    configure_file(${PROJECT_SOURCE_DIR}/cmake/cadmium.pc.in ${CMAKE_BINARY_DIR}/install/${name}.pc @ONLY)
    install(FILES ${CMAKE_BINARY_DIR}/install/${name}.pc DESTINATION ${folder} COMPONENT development)
endfunction()

# The static library as it is installed: see cmake/private-names.sh.
function(cad_install_static library name)
    set(archive ${CMAKE_BINARY_DIR}/install/lib${name}.a)
    set(maker ${PROJECT_SOURCE_DIR}/cmake/private-names.sh)
    add_custom_command(OUTPUT ${archive}
        COMMAND sh ${maker} ${CMAKE_NM} ${CMAKE_OBJCOPY} $<TARGET_FILE:${library}> ${archive}
        DEPENDS ${library} ${maker} VERBATIM)
    add_custom_target(${library}_archive ALL DEPENDS ${archive})
    install(FILES ${archive} DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
endfunction()

# cad_install_library(<library> <file name> <component of the package> <description>)
function(cad_install_library library name component description)
    if(NOT TARGET ${library})
        return()
    endif()
    if(TARGET ${library}_shared)
        install(TARGETS ${library}_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
            COMPONENT runtime NAMELINK_COMPONENT development)
    endif()
    if(CAD_BUILD_STATIC)
        cad_install_static(${library} ${name})
    endif()
    cad_install_pkgconfig(${library} ${name} "${description}")
    # For the CMake package.
    cad_private_needs(modules flags ${library})
    string(APPEND CAD_PACKAGE_LIBRARIES
        "cadmium_add(${component} ${name}\n    MODULES \"${modules}\"\n    FLAGS \"${flags}\")\n")
    set(CAD_PACKAGE_LIBRARIES "${CAD_PACKAGE_LIBRARIES}" PARENT_SCOPE)
endfunction()

if(NOT CAD_BUILD_SHARED AND NOT CAD_BUILD_STATIC)
    message(FATAL_ERROR "CAD_BUILD_SHARED and CAD_BUILD_STATIC are both off: nothing to install "
        "(CAD_INSTALL=OFF if that is meant)")
endif()

set(CAD_PACKAGE_LIBRARIES "")
cad_install_library(cadmium cadmium cadmium "Embeddable playback engine for adaptive streaming")
cad_install_library(cadmium_sim cadmium-sim sim "Playback in virtual time, over modelled networks")
cad_install_library(cadmium_media cadmium-media media "Decoders and sinks for libcadmium")

# Headers: those of a library that was not built stay away.
file(GLOB cad_headers CONFIGURE_DEPENDS include/cadmium/*.h)
foreach(library cadmium_sim cadmium_media)
    if(NOT TARGET ${library})
        foreach(header IN LISTS CAD_HEADERS_${library})
            list(REMOVE_ITEM cad_headers ${PROJECT_SOURCE_DIR}/include/cadmium/${header})
        endforeach()
    endif()
endforeach()
install(FILES ${cad_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cadmium COMPONENT development)

# The CMake package.
set(cad_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/cadmium)
configure_package_config_file(cmake/cadmium-config.cmake.in
    ${CMAKE_BINARY_DIR}/install/cadmium-config.cmake
    INSTALL_DESTINATION ${cad_package_folder}
    PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
set(cad_compatibility SameMinorVersion) # as long as a minor version may break the ABI
if(PROJECT_VERSION_MAJOR GREATER 0)
    set(cad_compatibility SameMajorVersion)
endif()
write_basic_package_version_file(${CMAKE_BINARY_DIR}/install/cadmium-config-version.cmake
    COMPATIBILITY ${cad_compatibility})
install(FILES ${CMAKE_BINARY_DIR}/install/cadmium-config.cmake
        ${CMAKE_BINARY_DIR}/install/cadmium-config-version.cmake
    DESTINATION ${cad_package_folder} COMPONENT development)

# Programs and the manual pages of those that are there.  They are linked statically with libcadmium.
foreach(target cadmium_play cadmium_sim_cli cadmium_manifest_cli cadmium_ttml_cli cadmium_ftl_cli)
    if(TARGET ${target})
        install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
        get_target_property(name ${target} OUTPUT_NAME)
        install(FILES docs/${name}.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools OPTIONAL)
    endif()
endforeach()

file(GLOB cad_guides CONFIGURE_DEPENDS docs/*.md docs/*.png)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT doc)
install(FILES ${cad_guides} DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs COMPONENT doc)
install(DIRECTORY ${CMAKE_BINARY_DIR}/docs/html DESTINATION ${CMAKE_INSTALL_DOCDIR}
    COMPONENT doc OPTIONAL)
