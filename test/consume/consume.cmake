# Installs the build in BUILD under a fresh prefix, then configures, builds and runs the project in this folder against
# it, as a user of the package would. WORK is a folder of its own; FLAGS are those that the library was built with.
file(REMOVE_RECURSE "${WORK}/prefix")
function(step)
   execute_process(COMMAND ${ARGN} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

step("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/prefix")
step("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}/build" -G "${GENERATOR}"
     "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_FLAGS=${FLAGS}")
step("${CMAKE_COMMAND}" --build "${WORK}/build")
step("${WORK}/build/consume")

# And as one who builds without CMake would.
set(ENV{PKG_CONFIG_PATH} "${WORK}/prefix/${LIBDIR}/pkgconfig")
step(sh -ec "${COMPILER} ${FLAGS} -std=c++20 '${CMAKE_CURRENT_LIST_DIR}/main.cpp' -o '${WORK}/without_cmake' \
             $(pkg-config --cflags --libs holdfast)")
step("${WORK}/without_cmake")
