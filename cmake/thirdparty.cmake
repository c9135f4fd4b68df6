# Third-party libraries as imported targets, all named cad_<library>.  A library that is missing has no
# target: the folders that need it say so and are left out.  Without those of the core nothing is built.
#
#   core     Threads::Threads  cad_curl  cad_expat  cad_zlib  cad_mbedcrypto  cad_mbedtls
#   media    cad_ffmpeg (avcodec avformat avfilter avutil swscale swresample)  cad_dav1d
#            cad_shaping (FreeType, HarfBuzz and FriBidi; without them there is no font backend)
#   player   cad_sdl2  cad_fonts (FreeType and fontconfig; without them text is a bitmap font)
#   tests    cad_microhttpd  cad_cmocka

find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# Makes cad_<name> of pkg-config modules, if they are all there.
function(cad_find_modules name)
    pkg_check_modules(CAD_PC_${name} QUIET IMPORTED_TARGET GLOBAL ${ARGN})
    set_property(GLOBAL PROPERTY CAD_MODULES_${name} ${ARGN})
    if(CAD_PC_${name}_FOUND)
        add_library(cad_${name} INTERFACE IMPORTED GLOBAL)
        target_link_libraries(cad_${name} INTERFACE PkgConfig::CAD_PC_${name})
    else()
        message(STATUS "not found: ${ARGN}")
    endif()
endfunction()

# Debian's mbedTLS 2.28 has no pkg-config files.
function(cad_find_mbedtls name)
    find_path(CAD_MBEDTLS_INCLUDE mbedtls/version.h)
    set(libraries "")
    foreach(library IN LISTS ARGN)
        find_library(CAD_LIBRARY_${library} ${library})
        if(NOT CAD_LIBRARY_${library} OR NOT CAD_MBEDTLS_INCLUDE)
            message(STATUS "not found: ${library}")
            return()
        endif()
        list(APPEND libraries ${CAD_LIBRARY_${library}})
    endforeach()
    add_library(cad_${name} INTERFACE IMPORTED GLOBAL)
    target_include_directories(cad_${name} SYSTEM INTERFACE ${CAD_MBEDTLS_INCLUDE})
    target_link_libraries(cad_${name} INTERFACE ${libraries})
endfunction()

cad_find_modules(curl libcurl>=7.88)
cad_find_modules(expat expat)
cad_find_modules(zlib zlib)
cad_find_modules(ffmpeg libavcodec libavformat libavfilter libavutil libswscale libswresample)
cad_find_modules(dav1d dav1d)
cad_find_modules(sdl2 sdl2)
cad_find_modules(fonts freetype2 fontconfig)
cad_find_modules(shaping freetype2 harfbuzz fribidi)
cad_find_modules(microhttpd libmicrohttpd)
cad_find_modules(cmocka cmocka)
cad_find_mbedtls(mbedcrypto mbedcrypto)
cad_find_mbedtls(mbedtls mbedtls mbedx509 mbedcrypto)

set(cad_missing "")
foreach(library curl expat zlib mbedcrypto mbedtls)
    if(NOT TARGET cad_${library})
        list(APPEND cad_missing ${library})
    endif()
endforeach()
if(cad_missing)
    list(JOIN cad_missing ", " cad_missing)
    message(FATAL_ERROR "libcadmium cannot be built without the development files of: ${cad_missing}.\n"
        "On Debian: scripts/install-deps.sh build. Elsewhere, or for another machine: pkg-config must find "
        "them (PKG_CONFIG_PATH, PKG_CONFIG_SYSROOT_DIR, PKG_CONFIG_LIBDIR; docs/install.md).")
endif()
