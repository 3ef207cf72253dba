# Compiles each of HEADERS (in INCLUDE) with a flag that Holdfast cannot live with: the first error says which it is.
foreach(header IN LISTS HEADERS)
   foreach(pair IN ITEMS "-fno-exceptions=Holdfast needs exceptions" "-std=c++17=Holdfast needs C\\+\\+20")
      string(REGEX MATCH "^(.+)=(.+)$" matched "${pair}")
      set(flag "${CMAKE_MATCH_1}")
      set(expected "${CMAKE_MATCH_2}")
      execute_process(COMMAND "${COMPILER}" -std=c++20 ${flag} -Wfatal-errors -fsyntax-only "-I${INCLUDE}" -x c++
                              "${INCLUDE}/${header}"
                      RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
      if(status EQUAL 0 OR NOT said MATCHES "${expected}")
         message(FATAL_ERROR "${header} with ${flag} ends with ${status} and does not say \"${expected}\":\n${said}")
      endif()
   endforeach()
endforeach()
