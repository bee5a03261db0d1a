// With package:shelf.
import 'dart:io';

import 'package:shelf/shelf.dart';

import 'verify.dart';

final _secret = Platform.environment['JETWAY_WEBHOOK_SECRET']!;

Handler webhooks(Future<void> Function(Map<String, dynamic> event) keep) => (request) async {
      final body = await request.read().expand((piece) => piece).toList();
      final event = verified(_secret, request.headers, body);
      if (event == null) return Response.unauthorized(null);
      await keep(event); // Into a table where `event['id']` is unique, and nothing else before the answer.
      return Response(204);
    };
