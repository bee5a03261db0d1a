import 'dart:convert';

import 'package:crypto/crypto.dart';

const toleranceSeconds = 300;

/// The event if the delivery is genuine and new, else null. [headers] by their names in lower case.
Map<String, dynamic>? verified(String secret, Map<String, String> headers, List<int> body, {DateTime? now}) {
  final message = headers['webhook-id'] ?? '';
  final timestamp = int.tryParse(headers['webhook-timestamp'] ?? '');
  final signatures = (headers['webhook-signature'] ?? '').split(' ');
  final seconds = (now ?? DateTime.now()).millisecondsSinceEpoch ~/ 1000;
  if (timestamp == null || (seconds - timestamp).abs() > toleranceSeconds) return null;
  final key = base64.decode(secret.replaceFirst('whsec_', ''));
  final signed = [...utf8.encode('$message.$timestamp.'), ...body];
  final expected = 'v1,${base64.encode(Hmac(sha256, key).convert(signed).bytes)}';
  // While a secret is being replaced there are several signatures. One that fits is enough.
  if (!signatures.any((signature) => _same(signature, expected))) return null;
  return jsonDecode(utf8.decode(body)) as Map<String, dynamic>;
}

/// Takes equally long wherever two texts differ.
bool _same(String one, String other) {
  if (one.length != other.length) return false;
  var difference = 0;
  for (var i = 0; i < one.length; i++) {
    difference |= one.codeUnitAt(i) ^ other.codeUnitAt(i);
  }
  return difference == 0;
}
