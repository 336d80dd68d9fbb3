/* A SunSpec meter on libmodbus: models 1 and 203 at 40000. Arguments: port. It prints the port it listens on, then takes
   lines "import export watts decivolts centihertz" on its standard input and answers each with "ok". */
#include <arpa/inet.h>
#include <modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <unistd.h>

enum { BASE = 40000, COMMON = 2, METER = 70, END = 177, SIZE = 179 };

static void show(uint16_t *registers, const char *line) {
  unsigned long imported, exported;
  int watts, decivolts, centihertz;
  uint16_t *meter = registers + METER;
  if (sscanf(line, "%lu %lu %d %d %d", &imported, &exported, &watts, &decivolts, &centihertz) != 5) exit(2);
  meter[7] = (uint16_t)decivolts;
  meter[16] = (uint16_t)centihertz;
  meter[18] = (uint16_t)watts;
  meter[38] = (uint16_t)(exported >> 16);
  meter[39] = (uint16_t)exported;
  meter[46] = (uint16_t)(imported >> 16);
  meter[47] = (uint16_t)imported;
}

static void fill(uint16_t *registers) {
  for (int i = 0; i < SIZE; i++) registers[i] = 0x8000;
  registers[0] = 0x5375;
  registers[1] = 0x6e53;
  registers[COMMON] = 1;
  registers[COMMON + 1] = 66;
  registers[METER] = 203;
  registers[METER + 1] = 105;
  registers[METER + 15] = (uint16_t)-1;
  registers[METER + 17] = (uint16_t)-2;
  registers[METER + 22] = 0;
  registers[METER + 54] = 0;
  registers[END] = 0xffff;
  registers[END + 1] = 0;
}

static void serve(modbus_t *context, modbus_mapping_t *map, int listener) {
  fd_set all;
  int highest = listener;
  FD_ZERO(&all);
  FD_SET(listener, &all);
  FD_SET(STDIN_FILENO, &all);
  for (;;) {
    fd_set ready = all;
    if (select(highest + 1, &ready, NULL, NULL, NULL) < 0) return;
    for (int fd = 0; fd <= highest; fd++) {
      if (!FD_ISSET(fd, &ready)) continue;
      if (fd == STDIN_FILENO) {
        char line[128];
        ssize_t size = read(fd, line, sizeof line - 1);
        if (size <= 0) return;
        line[size] = 0;
        show(map->tab_registers, line);
        puts("ok");
      } else if (fd == listener) {
        int client = accept(listener, NULL, NULL);
        FD_SET(client, &all);
        if (client > highest) highest = client;
      } else {
        uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
        modbus_set_socket(context, fd);
        int size = modbus_receive(context, query);
        if (size > 0) modbus_reply(context, query, size, map);
        if (size < 0) {
          close(fd);
          FD_CLR(fd, &all);
        }
      }
    }
  }
}

int main(int argc, char **argv) {
  modbus_t *context = modbus_new_tcp("127.0.0.1", argc > 1 ? atoi(argv[1]) : 0);
  modbus_mapping_t *map = modbus_mapping_new_start_address(0, 0, 0, 0, BASE, SIZE, 0, 0);
  int listener = modbus_tcp_listen(context, 4);
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  if (map == NULL || listener < 0) return 1;
  setvbuf(stdout, NULL, _IOLBF, 0);
  getsockname(listener, (struct sockaddr *)&address, &length);
  fill(map->tab_registers);
  printf("%d\n", ntohs(address.sin_port));
  serve(context, map, listener);
  return 0;
}
