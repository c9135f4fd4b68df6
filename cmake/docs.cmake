# The API reference: cmake --build BUILD_DIR --target docs, then docs/html/index.html there.

find_program(CAD_DOXYGEN doxygen)
set(CAD_DOCS_DIR ${CMAKE_BINARY_DIR}/docs)
set(CAD_DOCS_WARN FAIL_ON_WARNINGS)
configure_file(${PROJECT_SOURCE_DIR}/docs/Doxyfile.in ${CMAKE_BINARY_DIR}/docs/Doxyfile @ONLY)
if(CAD_DOXYGEN)
    add_custom_target(docs COMMAND ${CAD_DOXYGEN} ${CMAKE_BINARY_DIR}/docs/Doxyfile
        WORKING_DIRECTORY ${CMAKE_BINARY_DIR}/docs VERBATIM)
else()
    add_custom_target(docs COMMAND ${CMAKE_COMMAND} -E echo "doxygen is missing: scripts/install-deps.sh test"
        COMMAND ${CMAKE_COMMAND} -E false VERBATIM)
endif()
