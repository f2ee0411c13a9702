# What `cmake --install` puts in place, in three components:
#
#   shared     the tools, the compiler and the runtime as shared libraries. Their
#              users need no MLIR.
#   package    C headers, the files of find_package(DTensor), the reference
#   libraries  the compiler's static libraries and its C++ headers, for a
#              compiler that has MLIR of the same version and adds our dialect,
#              interfaces and phases to its own.
#
# Call after all targets exist.
include_guard()
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/DTensor)
get_property(libraries GLOBAL PROPERTY DTENSOR_LIBRARIES)
get_property(tools GLOBAL PROPERTY DTENSOR_TOOLS)
list(REMOVE_ITEM tools DTensorCompiler)

foreach(library DTensorCompiler dtensor_rt ${libraries})
  target_include_directories(${library} INTERFACE
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
install(TARGETS DTensorCompiler dtensor_rt EXPORT DTensorShared
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT shared)
install(TARGETS ${tools}
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT shared)
install(TARGETS ${libraries} EXPORT DTensorLibraries
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libraries)

set(c_headers include/dtensor-c include/dtensor-rt)
install(DIRECTORY ${c_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        COMPONENT package FILES_MATCHING PATTERN "*.h")
install(DIRECTORY include/dtensor ${PROJECT_BINARY_DIR}/include/dtensor
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT libraries
        FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.h.inc"
        PATTERN "CMakeFiles" EXCLUDE)

install(EXPORT DTensorShared NAMESPACE DTensor:: COMPONENT package
        FILE DTensorShared.cmake DESTINATION ${package_dir})
install(EXPORT DTensorLibraries NAMESPACE DTensor:: COMPONENT libraries
        FILE DTensorLibraries.cmake DESTINATION ${package_dir})
configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/DTensorConfig.cmake.in
  ${PROJECT_BINARY_DIR}/DTensorConfig.cmake
  INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may change an interface.
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/DTensorConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/DTensorConfig.cmake
              ${PROJECT_BINARY_DIR}/DTensorConfigVersion.cmake
        DESTINATION ${package_dir} COMPONENT package)
