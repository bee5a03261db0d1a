// dart run receiver.dart 8080: takes genuine deliveries, each event once; needs JETWAY_WEBHOOK_SECRET.
import 'dart:io';

import 'verify.dart';

Future<void> main(List<String> arguments) async {
  final secret = Platform.environment['JETWAY_WEBHOOK_SECRET']!;
  final seen = <String>{}; // In earnest a table with a unique key: what is acknowledged must outlive this process.
  final server = await HttpServer.bind(InternetAddress.loopbackIPv4, int.parse(arguments.first));
  server.listen((request) async {
    final body = await request.expand((piece) => piece).toList();
    final headers = <String, String>{};
    request.headers.forEach((name, values) => headers[name] = values.join(' '));
    final event = verified(secret, headers, body);
    request.response.statusCode = event == null ? HttpStatus.unauthorized : HttpStatus.noContent;
    await request.response.close(); // At once; the work comes afterwards.
    if (event == null || !seen.add(event['id'] as String)) return;
    print('${event['type']} ${event['sequence']} ${event['data']}');
  });
}
