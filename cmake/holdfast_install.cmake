# What `make install` puts under a prefix: the library, its headers, the CMake package, a pkg-config file, the binary.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/holdfast")

install(TARGETS holdfast EXPORT holdfast_targets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/holdfast" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.hpp")
install(EXPORT holdfast_targets NAMESPACE holdfast:: DESTINATION "${package_dir}")

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/holdfast-config.cmake.in" holdfast-config.cmake
                              INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break its users.
write_basic_package_version_file(holdfast-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/holdfast-config.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/holdfast-config-version.cmake" DESTINATION "${package_dir}")

# For builds that are not CMake's.
file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file("${CMAKE_CURRENT_LIST_DIR}/holdfast.pc.in" holdfast.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/holdfast.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

# `make install` builds this much and no more.
add_custom_target(holdfast_installable DEPENDS holdfast)
if(TARGET holdfast_app)
   install(TARGETS holdfast_app RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
   add_dependencies(holdfast_installable holdfast_app)
endif()
file(GLOB manuals CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/man/*.1")
install(FILES ${manuals} DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
set(completions "${PROJECT_SOURCE_DIR}/apps/holdfast/completions")
install(FILES "${completions}/holdfast.bash" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions"
        RENAME holdfast)
install(FILES "${completions}/_holdfast" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
install(FILES "${completions}/holdfast.fish" DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
