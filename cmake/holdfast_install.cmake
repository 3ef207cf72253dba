# What is put under a prefix: the library, its headers, the CMake package and a pkg-config file; where the binary is
# built, the binary, its manual and its completions. tools/uninstall takes it away again.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/holdfast")
set(pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(GLOB_RECURSE headers RELATIVE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/include/*.hpp")
list(TRANSFORM headers REPLACE "/[^/]+$" "")
list(REMOVE_DUPLICATES headers)
list(TRANSFORM headers PREPEND "${CMAKE_INSTALL_INCLUDEDIR}/" OUTPUT_VARIABLE folders)
list(APPEND folders "${CMAKE_INSTALL_LIBDIR}" "${package_dir}" "${pkgconfig_dir}")
if(TARGET holdfast_app)
   # Debian's zsh looks there for what its packages bring, and into site-functions for what was installed by hand.
   set(zsh_dir "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
   if(CMAKE_INSTALL_PREFIX MATCHES "^/usr/?$" AND EXISTS /etc/debian_version)
      set(zsh_dir "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions")
   endif()
   set(bash_dir "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
   set(fish_dir "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
   list(APPEND folders "${CMAKE_INSTALL_BINDIR}" "${CMAKE_INSTALL_MANDIR}/man1" "${zsh_dir}" "${bash_dir}"
               "${fish_dir}")
endif()

# First: which folders are made by this, so that these are removed with the files.
set(record "${PROJECT_BINARY_DIR}/install_folders.txt")
set(destdir_record "${PROJECT_BINARY_DIR}/install_destdir.txt")
configure_file("${CMAKE_CURRENT_LIST_DIR}/record_folders.cmake.in" record_folders.cmake @ONLY)
install(SCRIPT "${CMAKE_CURRENT_BINARY_DIR}/record_folders.cmake")

# One list of targets each: who has no Boost can use the package all the same.
foreach(target IN LISTS HOLDFAST_OFFERED)
   string(REPLACE "_shared" "" name "${target}")
   install(TARGETS ${target} EXPORT ${name}_targets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
           LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
   install(EXPORT ${name}_targets NAMESPACE holdfast:: DESTINATION "${package_dir}")
endforeach()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/holdfast" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.hpp")

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/holdfast-config.cmake.in" holdfast-config.cmake
                              INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break its users.
write_basic_package_version_file(holdfast-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/holdfast-config.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/holdfast-config-version.cmake" DESTINATION "${package_dir}")

# For builds that are not CMake's. A static library leaves c-ares to whoever links the program; a shared one has it.
file(RELATIVE_PATH up "/${pkgconfig_dir}" "/")
set(cares_line "Requires: libcares")
if(BUILD_SHARED_LIBS)
   set(cares_line "Libs.private: -lcares")
endif()
configure_file("${CMAKE_CURRENT_LIST_DIR}/holdfast.pc.in" holdfast.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/holdfast.pc" DESTINATION "${pkgconfig_dir}")
if(HOLDFAST_ASIO)
   configure_file("${CMAKE_CURRENT_LIST_DIR}/holdfast_asio.pc.in" holdfast_asio.pc @ONLY)
   install(FILES "${CMAKE_CURRENT_BINARY_DIR}/holdfast_asio.pc" DESTINATION "${pkgconfig_dir}")
endif()

# `make` and `make install` build this much and no more.
add_custom_target(holdfast_installable DEPENDS ${HOLDFAST_OFFERED})
if(TARGET holdfast_app)
   add_dependencies(holdfast_installable holdfast_app)
   install(TARGETS holdfast_app RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
   file(GLOB manuals CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/man/*.1")
   install(FILES ${manuals} DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
   set(completions "${PROJECT_SOURCE_DIR}/apps/holdfast/completions")
   install(FILES "${completions}/holdfast.bash" DESTINATION "${bash_dir}" RENAME holdfast)
   install(FILES "${completions}/_holdfast" DESTINATION "${zsh_dir}")
   install(FILES "${completions}/holdfast.fish" DESTINATION "${fish_dir}")
endif()
