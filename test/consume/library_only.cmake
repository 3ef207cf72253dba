# Builds Holdfast once more, as on a machine that has only what the library needs, shared and for PREFIX=/usr; the
# objects are those of the build in BUILD. Installs it under a DESTDIR, uses it, and removes it. WORK is a folder of its
# own.
set(stage "${WORK}/stage")
set(root "${CMAKE_CURRENT_LIST_DIR}/../..")
file(REMOVE_RECURSE "${stage}" "${WORK}/library")  # objects that are taken over bring no list of their headers
function(step)
   execute_process(COMMAND ${ARGN} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()
function(expect_equal what found expected)
   if(NOT found STREQUAL expected)
      message(FATAL_ERROR "${what}: ${found}\nexpected: ${expected}")
   endif()
endfunction()
set(common -G Ninja "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_FLAGS=${FLAGS}" "-DCMAKE_BUILD_TYPE=Release"
           "-DCMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CURRENT_LIST_DIR}/take_object.sh")
set(ENV{FIRST_BUILD} "${BUILD}")

set(absent CLI11 fmt nlohmann_json GTest benchmark Boost)
list(TRANSFORM absent REPLACE "(.+)" "-DCMAKE_DISABLE_FIND_PACKAGE_\\1=ON")
step("${CMAKE_COMMAND}" -S "${root}" -B "${WORK}/library" ${common} -DCMAKE_INSTALL_PREFIX=/usr -DBUILD_SHARED_LIBS=ON
     ${absent} "-DHOLDFAST_SANITIZE=${SANITIZE}")
step("${CMAKE_COMMAND}" --build "${WORK}/library")
set(ENV{DESTDIR} "${stage}")
step("${CMAKE_COMMAND}" --install "${WORK}/library")

# The library and its headers, and no manual, completion or binary; on Debian in the folder of the architecture.
file(STRINGS "${WORK}/library/CMakeCache.txt" libdir REGEX "^CMAKE_INSTALL_LIBDIR:PATH=")
string(REPLACE "CMAKE_INSTALL_LIBDIR:PATH=" "" libdir "${libdir}")
if(EXISTS /etc/debian_version AND NOT libdir MATCHES "^lib/.+-linux-gnu")
   message(FATAL_ERROR "under /usr on Debian the libraries go to ${libdir}")
endif()
file(GLOB_RECURSE headers RELATIVE "${root}" "${root}/include/*.hpp")
set(expected ${headers})
foreach(name IN ITEMS cmake/holdfast/holdfast-config-version.cmake cmake/holdfast/holdfast-config.cmake
                      cmake/holdfast/holdfast_targets-release.cmake cmake/holdfast/holdfast_targets.cmake
                      libholdfast.so libholdfast.so.0.1 libholdfast.so.0.1.0 pkgconfig/holdfast.pc)
   list(APPEND expected "${libdir}/${name}")
endforeach()
list(SORT expected)
file(GLOB_RECURSE installed RELATIVE "${stage}/usr" "${stage}/*")
list(SORT installed)
expect_equal("installed without the binary" "${installed}" "${expected}")

# A program that is linked with it, by pkg-config, by find_package, and as a part of the program's own build.
set(ENV{LD_LIBRARY_PATH} "${stage}/usr/${libdir}")
set(ENV{PKG_CONFIG_PATH} "${stage}/usr/${libdir}/pkgconfig")
step(sh -ec "${COMPILER} ${FLAGS} -std=c++20 -DNDEBUG '${CMAKE_CURRENT_LIST_DIR}/main.cpp' \
             -o '${WORK}/with_pkg_config' $(pkg-config --cflags --libs holdfast)
             readelf -d '${WORK}/with_pkg_config' | grep -q 'libholdfast.so.0.1]'
             pkg-config --static --libs holdfast | grep -q -- -lcares")
step("${WORK}/with_pkg_config")
foreach(way IN ITEMS "-DCMAKE_PREFIX_PATH=${stage}/usr" "-DHOLDFAST_SOURCE=${root}")
   file(REMOVE_RECURSE "${WORK}/program")
   step("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}/program" ${common} "${way}"
        "-DHOLDFAST_SANITIZE=${SANITIZE}")
   step("${CMAKE_COMMAND}" --build "${WORK}/program")
   step("${WORK}/program/consume")
endforeach()

step("${root}/tools/uninstall" "${WORK}/library" /usr)
if(EXISTS "${stage}")
   file(GLOB_RECURSE left LIST_DIRECTORIES ON "${stage}/*")
   message(FATAL_ERROR "left after tools/uninstall: ${stage};${left}")
endif()

# With Boost the same has a second shared library, for the client for Asio.
list(REMOVE_ITEM absent "-DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON")
file(REMOVE_RECURSE "${WORK}/asio" "${WORK}/program")
step("${CMAKE_COMMAND}" -S "${root}" -B "${WORK}/asio" ${common} -DCMAKE_INSTALL_PREFIX=/usr -DBUILD_SHARED_LIBS=ON
     -DHOLDFAST_ASIO=ON ${absent} "-DHOLDFAST_SANITIZE=${SANITIZE}")
step("${CMAKE_COMMAND}" --build "${WORK}/asio")
step("${CMAKE_COMMAND}" --install "${WORK}/asio")
step("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}/program" ${common}
     "-DCMAKE_PREFIX_PATH=${stage}/usr")
step("${CMAKE_COMMAND}" --build "${WORK}/program")
step("${WORK}/program/consume_async")
file(REMOVE_RECURSE "${stage}")
