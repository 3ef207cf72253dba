# Installs the build in BUILD under a fresh prefix, then configures, builds and runs the project in this folder against
# it, as a user of the package would. WORK is a folder of its own; FLAGS are those that the library was built with.
file(REMOVE_RECURSE "${WORK}/prefix")
function(step)
   execute_process(COMMAND ${ARGN} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# The list of what is installed is this test's here; the build keeps that of its user.
file(GLOB kept "${BUILD}/install_*.txt")
file(REMOVE_RECURSE "${WORK}/kept" "${WORK}/lists")
if(kept)
   file(COPY ${kept} DESTINATION "${WORK}/kept")
   file(REMOVE ${kept})
endif()
step("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/prefix")
file(GLOB lists "${BUILD}/install_*.txt")
file(COPY ${lists} DESTINATION "${WORK}/lists")
file(REMOVE ${lists})
file(GLOB kept "${WORK}/kept/*")
if(kept)
   file(COPY ${kept} DESTINATION "${BUILD}")
endif()

foreach(name IN ITEMS bin/holdfast share/man/man1/holdfast.1 share/bash-completion/completions/holdfast
                      share/fish/vendor_completions.d/holdfast.fish)
   if(NOT EXISTS "${WORK}/prefix/${name}")
      message(FATAL_ERROR "${name} is not installed though the binary is built")
   endif()
endforeach()
step("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}/build" -G "${GENERATOR}"
     "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_FLAGS=${FLAGS}")
step("${CMAKE_COMMAND}" --build "${WORK}/build")
step("${WORK}/build/consume")
step("${WORK}/build/consume_async")

# And as one who builds without CMake would.
set(ENV{PKG_CONFIG_PATH} "${WORK}/prefix/${LIBDIR}/pkgconfig")
step(sh -ec "${COMPILER} ${FLAGS} -std=c++20 '${CMAKE_CURRENT_LIST_DIR}/main.cpp' -o '${WORK}/without_cmake' \
             $(pkg-config --cflags --libs holdfast)")
step("${WORK}/without_cmake")
step(sh -ec "${COMPILER} ${FLAGS} -std=c++20 '${CMAKE_CURRENT_LIST_DIR}/async.cpp' -o '${WORK}/async_without_cmake' \
             $(pkg-config --cflags --libs holdfast_asio)")
step("${WORK}/async_without_cmake")

# No path of this build is in what is installed.
execute_process(COMMAND grep -q "${SOURCE}/" "${WORK}/prefix/${LIBDIR}/libholdfast.a" RESULT_VARIABLE missing)
if(NOT missing AND NOT DEBUG)
   message(FATAL_ERROR "libholdfast.a names ${SOURCE}")
endif()
step("${SOURCE}/tools/uninstall" "${WORK}/lists" "${WORK}/prefix")
if(EXISTS "${WORK}/prefix")
   message(FATAL_ERROR "${WORK}/prefix is left after tools/uninstall")
endif()
