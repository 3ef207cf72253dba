#include "drill/drill.hpp"

int main(int argc, char** argv) {
   CLI::App app("Redis commands that ride out a failover.", "holdfast");
   app.require_subcommand(1);
   int status = 0;
   holdfast::drill::add_drill(app, status);
   try {
      app.parse(argc, argv);
   } catch (const CLI::ParseError& e) {
      return app.exit(e) == 0 ? 0 : 2;
   }
   return status;
}
